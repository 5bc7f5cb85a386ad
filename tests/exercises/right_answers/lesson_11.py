"""Right answers to lesson 11 in another style than ours: what a reader may well write."""
