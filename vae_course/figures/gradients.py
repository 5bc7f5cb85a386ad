"""Pictures of lesson 03: gradients estimated from samples, and their spread."""
