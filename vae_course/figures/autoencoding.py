"""Pictures of lesson 01: codes, their holes, and what is decoded from them."""
