"""Right answers to lesson 02 in another style than ours: what a reader may well write."""
