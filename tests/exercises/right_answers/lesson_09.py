"""Right answers to lesson 09 in another style than ours: what a reader may well write."""
