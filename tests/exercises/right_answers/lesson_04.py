"""Right answers to lesson 04 in another style than ours: what a reader may well write."""
