"""Right answers to lesson 08 in another style than ours: what a reader may well write."""
