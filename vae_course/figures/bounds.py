"""Pictures of lesson 04: bounds on the log-likelihood, rate against distortion, digits decoded."""
