"""Right answers to lesson 03 in another style than ours: what a reader may well write."""
