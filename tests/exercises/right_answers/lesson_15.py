"""Right answers to lesson 15 in another style than ours: what a reader may well write."""
