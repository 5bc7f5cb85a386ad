"""Right answers to lesson 13 in another style than ours: what a reader may well write."""
