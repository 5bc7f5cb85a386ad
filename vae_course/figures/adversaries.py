"""Pictures of lesson 05: a VAE and a GAN side by side."""
