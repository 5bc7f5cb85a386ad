"""Right answers to lesson 10 in another style than ours: what a reader may well write."""
