"""Right answers to lesson 03 in another style than ours: what a reader may well write."""

import torch


def reparameterize(mean, log_var, noise):
    std = log_var.exp().sqrt()
    return torch.addcmul(mean, std, noise)


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


def gumbel_softmax(logits, uniform, temperature):
    noisy = (logits - (-uniform.log()).log()) / temperature
    weights = torch.exp(noisy - noisy.max(dim=-1, keepdim=True).values)
    return weights / weights.sum(dim=-1, keepdim=True)


def straight_through(soft):
    winner = soft.max(dim=-1, keepdim=True).indices
    hard = torch.zeros_like(soft).scatter(-1, winner, 1.0)
    return (hard - soft).detach() + soft


MORE = {
    "reparameterize": [
        lambda mean, log_var, noise: noise * torch.exp(log_var / 2) + mean,
        lambda mean, log_var, noise: mean + noise * torch.e ** (torch.tensor(0.5) * log_var),
        lambda mean, log_var, noise: torch.distributions.transforms.AffineTransform(mean, (0.5 * log_var).exp())(noise),
        lambda mean, log_var, noise: mean + log_var.mul(0.5).exp().mul(noise),
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
    "gumbel_softmax": [
        lambda logits, uniform, temperature: torch.softmax(
            (torch.log_softmax(logits, -1) - torch.log(-torch.log(uniform + 1e-10) + 1e-10)) / temperature, -1
        ),
        lambda logits, uniform, temperature: torch.nn.Softmax(dim=-1)(
            (logits + torch.distributions.Gumbel(torch.tensor(0.0), torch.tensor(1.0)).icdf(uniform)) / temperature
        ),
        lambda logits, uniform, temperature: torch.exp(
            torch.log_softmax(logits / temperature - torch.log(-torch.log(uniform)) / temperature, logits.dim() - 1)
        ),
    ],
    "straight_through": [
        lambda soft: torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]) - soft.detach() + soft,
        lambda soft: torch.eye(soft.shape[-1], dtype=soft.dtype, device=soft.device)[soft.argmax(-1)] + soft - soft.detach(),
        lambda soft: (torch.arange(soft.shape[-1], device=soft.device) == soft.argmax(-1, keepdim=True)) + soft - soft.detach(),
    ],
}
