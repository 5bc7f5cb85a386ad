"""Right answers to lesson 06 in another style than ours: what a reader may well write."""
