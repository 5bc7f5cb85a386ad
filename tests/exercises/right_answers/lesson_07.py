"""Right answers to lesson 07 in another style than ours: what a reader may well write."""
