"""Right answers to lesson 01 in another style than ours: what a reader may well write."""
