"""Right answers to lesson 16 in another style than ours: what a reader may well write."""

import torch


def gumbel_softmax(logits, uniform, temperature):
    noisy = (logits - (-uniform.log()).log()) / temperature
    weights = torch.exp(noisy - noisy.max(dim=-1, keepdim=True).values)
    return weights / weights.sum(dim=-1, keepdim=True)


def straight_through(soft):
    winner = soft.max(dim=-1, keepdim=True).indices
    hard = torch.zeros_like(soft).scatter(-1, winner, 1.0)
    return (hard - soft).detach() + soft


MORE = {
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
