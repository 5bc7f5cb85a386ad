"""Right answers to lesson 03 in another style than ours: what a reader may well write."""

import math

import torch


def reparameterize(mean, log_var, noise):
    std = log_var.exp().sqrt()
    return torch.addcmul(mean, std, noise)


def score_surrogate(values, log_q):
    with torch.no_grad():
        weights = values.clone()
    return torch.mul(log_q, weights)


def score_gradient_draws(values, z, mean, log_var):
    rows = []
    for value, draw in zip(values, z, strict=True):
        place = mean.clone().requires_grad_()
        log_q = torch.distributions.Normal(place, log_var.exp().sqrt()).log_prob(draw).sum()
        rows.append(value * torch.autograd.grad(log_q, place)[0])
    return torch.stack(rows)


def subtract_baseline(values):
    results = []
    for k in range(len(values)):
        others = torch.cat([values[:k], values[k + 1 :]])
        results.append(values[k] - others.mean())
    return torch.stack(results)


def draws_needed(gradients, standard_error):
    of_these = gradients.std() / math.sqrt(len(gradients))
    return len(gradients) * (of_these / standard_error) ** 2


MORE = {
    "reparameterize": [
        lambda mean, log_var, noise: noise * torch.exp(log_var / 2) + mean,
        lambda mean, log_var, noise: mean + noise * torch.e ** (torch.tensor(0.5) * log_var),
        lambda mean, log_var, noise: torch.distributions.transforms.AffineTransform(mean, (0.5 * log_var).exp())(noise),
        lambda mean, log_var, noise: mean + log_var.mul(0.5).exp().mul(noise),
    ],
    "score_surrogate": [
        lambda values, log_q: log_q * values.detach(),
        lambda values, log_q: values.data * log_q,
        lambda values, log_q: torch.einsum("s,s->s", values.detach(), log_q),
    ],
    "score_gradient_draws": [
        lambda values, z, mean, log_var: torch.einsum("s,sd,d->sd", values, z - mean, (-log_var).exp()),
        lambda values, z, mean, log_var: torch.diag(values) @ ((z - mean) / torch.exp(0.5 * log_var) ** 2),
        lambda values, z, mean, log_var: (values * ((z - mean) * torch.exp(-log_var)).T).T,
    ],
    "subtract_baseline": [
        lambda values: (values - values.mean()) * len(values) / (len(values) - 1),
        lambda values: values - (1 - torch.eye(len(values)).to(values)) @ values / (len(values) - 1),
        lambda values: (len(values) * values - values.sum()) / (len(values) - 1),
    ],
    "draws_needed": [
        lambda gradients, standard_error: (gradients.std() / standard_error) ** 2,
        lambda gradients, standard_error: gradients.var().item() / standard_error / standard_error,
        lambda gradients, standard_error: (
            (gradients - gradients.mean()).square().sum() / (len(gradients) - 1) * standard_error**-2
        ),
    ],
}
