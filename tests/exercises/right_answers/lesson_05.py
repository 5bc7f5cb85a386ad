"""Right answers to lesson 05 in another style than ours: what a reader may well write."""

import torch


def bernoulli_log_likelihood(logits, x):
    per_pixel = torch.distributions.Bernoulli(logits=logits).log_prob(x)
    return torch.einsum("bp->b", per_pixel)


def negative_elbo(distortion, mean, log_var):
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    p = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return distortion.mean() + torch.distributions.kl_divergence(q, p).sum(dim=1).mean()


def kl_weight_of_means(pixels, latent):
    weight_on_distortion, weight_on_rate = 1 / pixels, 1 / latent
    return weight_on_rate / weight_on_distortion


class GaussianEncoder(torch.nn.Module):
    def __init__(self, inputs, hidden, latent):
        super().__init__()
        self.log_var, self.mean = (torch.nn.Linear(hidden, latent) for _ in range(2))
        self.hidden = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU())

    def forward(self, x):
        h = self.hidden(x)
        return tuple(head(h) for head in (self.mean, self.log_var))


def training_step(encoder, decoder, optimizer, x, generator):
    optimizer.zero_grad()
    mean, log_var = encoder(x)
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
    std = log_var.exp().sqrt()
    logits = decoder(mean + std * noise)
    cost = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    rate = (std**2 + mean**2 - 1 - log_var).sum(dim=1) / 2
    loss = (cost + rate).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def epochs_since_best(losses):
    places_of_the_best = torch.where(losses == losses.min())[0]
    return losses.numel() - places_of_the_best[0] - 1


def draw_pixels(logits, uniform):
    chance = 1 / (1 + torch.exp(-logits))
    return torch.where(chance > uniform, 1.0, 0.0)


def kl_weight_of_sigma(believed_std, pixel_std):
    factor_on_error = pixel_std**2 / believed_std**2
    return 1 / factor_on_error


MORE = {
    "bernoulli_log_likelihood": [
        lambda logits, x: (x * torch.nn.functional.logsigmoid(logits) + (1 - x) * torch.nn.functional.logsigmoid(-logits)).sum(
            dim=1
        ),
        lambda logits, x: torch.nn.functional.logsigmoid(logits * (2 * x - 1)).sum(-1),
        lambda logits, x: (x * logits - torch.nn.functional.softplus(logits)).sum(-1),
        lambda logits, x: (
            -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(-1) * x.shape[1]
        ),
    ],
    "negative_elbo": [
        lambda distortion, mean, log_var: torch.mean(
            distortion - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=1), dim=0
        ),
        lambda distortion, mean, log_var: (
            (distortion.sum() + 0.5 * (mean**2 + torch.exp(log_var) - log_var - 1).sum()) / distortion.numel()
        ),
        lambda distortion, mean, log_var: (
            sum(d + 0.5 * (m @ m + v.exp().sum() - v.sum() - len(v)) for d, m, v in zip(distortion, mean, log_var, strict=True))
            / len(mean)
        ),
    ],
    "kl_weight_of_means": [
        lambda pixels, latent: torch.exp(pixels.log() - latent.log()),
        lambda pixels, latent: latent.reciprocal() * pixels,
        lambda pixels, latent: torch.tensor(1.0, device=pixels.device) / (latent / pixels),
    ],
    "epochs_since_best": [
        lambda losses: torch.tensor(len(losses) - 1 - losses.tolist().index(min(losses.tolist()))),
        lambda losses: len(losses) - 1 - losses.argmin().item(),
    ],
    "draw_pixels": [
        lambda logits, uniform: (logits > torch.logit(uniform)).float(),
        lambda logits, uniform: uniform < torch.sigmoid(logits),
    ],
    "kl_weight_of_sigma": [
        lambda believed_std, pixel_std: believed_std.square() / pixel_std.square(),
    ],
}
