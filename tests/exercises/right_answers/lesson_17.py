"""Right answers to lesson 17 in another style than ours: what a reader may well write."""
