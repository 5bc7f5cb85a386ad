"""Right answers to lesson 12 in another style than ours: what a reader may well write."""
