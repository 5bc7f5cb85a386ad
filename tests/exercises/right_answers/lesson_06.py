"""Right answers to lesson 06 in another style than ours: what a reader may well write."""

import math

import torch


def discriminator_loss(real_logits, fake_logits):
    logits = torch.cat([real_logits, fake_logits])
    labels = torch.cat([torch.ones_like(real_logits), torch.zeros_like(fake_logits)])
    return 2 * torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)


def generator_loss(fake_logits):
    certain = torch.distributions.Bernoulli(logits=fake_logits)
    return -certain.log_prob(torch.ones_like(fake_logits)).mean()


def discriminator_step(generator, discriminator, optimizer, real, z):
    for parameter in discriminator.parameters():
        parameter.grad = None
    with torch.no_grad():
        fake = generator(z)
    logits = discriminator(torch.cat([real, fake]))
    loss = discriminator_loss(logits[: len(real)], logits[len(real) :])
    loss.backward()
    optimizer.step()
    return loss.detach()


def generator_step(generator, discriminator, optimizer, z):
    optimizer.zero_grad()
    for parameter in discriminator.parameters():
        parameter.requires_grad_(False)
    fooled = generator_loss(discriminator(generator(z)))
    fooled.backward()
    optimizer.step()
    for parameter in discriminator.parameters():
        parameter.requires_grad_(True)
    return fooled.detach()


def optimal_discriminator(log_p, log_q):
    return torch.exp(log_p - torch.logaddexp(log_p, log_q))


def mode_shares(samples, centres, reach):
    shares = []
    for centre in centres:
        offsets = samples - centre
        near = offsets.square().sum(dim=1).sqrt() <= reach
        shares.append(near.sum() / len(samples))
    return torch.stack(shares)


def diluted_log_density(log_model, log_noise, share):
    shares = torch.tensor([share, 1 - share], dtype=log_model.dtype, device=log_model.device)
    parts = torch.stack([log_model, log_noise], dim=1) + shares.log()
    return parts.logsumexp(dim=1)


def only_its_own_gradients(generator, discriminator, optimizer, z):
    loss = generator_loss(discriminator(generator(z)))
    weights = list(generator.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    optimizer.step()
    return loss.detach()


def cleared_after_it(generator, discriminator, optimizer, z):
    # Right for this player: no other step leaves gradients in the generator.
    loss = generator_loss(discriminator(generator(z)))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def all_cleared_beforehand(generator, discriminator, optimizer, real, z):
    generator.requires_grad_(False)
    discriminator.zero_grad(set_to_none=False)
    loss = discriminator_loss(discriminator(real), discriminator(generator(z)))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    generator.requires_grad_(True)
    return loss.detach()


def nearest_within_reach(samples, centres, reach):
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    counts = torch.bincount(nearest[distance <= reach], minlength=len(centres))
    return counts.to(samples.dtype) / len(samples)


def loop_over_examples(real_logits, fake_logits):
    total = 0.0
    for real, fake in zip(real_logits, fake_logits, strict=True):
        total = total - torch.nn.functional.logsigmoid(real) - torch.nn.functional.logsigmoid(-fake)
    return total / len(real_logits)


MORE = {
    "discriminator_loss": [
        loop_over_examples,
        lambda real_logits, fake_logits: (
            -torch.nn.functional.logsigmoid(real_logits).mean() - torch.nn.functional.logsigmoid(-fake_logits).mean()
        ),
        lambda real_logits, fake_logits: (
            torch.nn.BCEWithLogitsLoss()(real_logits, torch.ones_like(real_logits))
            + torch.nn.BCEWithLogitsLoss()(fake_logits, torch.zeros_like(fake_logits))
        ),
        lambda real_logits, fake_logits: (
            torch.logaddexp(torch.zeros_like(real_logits), -real_logits)
            + torch.logaddexp(torch.zeros_like(fake_logits), fake_logits)
        ).mean(),
        # (a b) = softplus(a) - a: the labels' form of the cross entropy
        lambda real_logits, fake_logits: (
            (torch.nn.functional.softplus(real_logits) - real_logits + torch.nn.functional.softplus(fake_logits)).sum()
            / real_logits.shape[0]
        ),
    ],
    "diluted_log_density": [
        # p is taken out of the sum: what is left is a softplus
        lambda log_model, log_noise, share: (
            math.log(share)
            + log_model
            + torch.nn.functional.softplus(math.log((1 - share) / share) + log_noise - log_model, threshold=1000)
        ),
        lambda log_model, log_noise, share: (
            torch.maximum(log_model, log_noise)
            + torch.log(
                share * torch.exp(log_model - torch.maximum(log_model, log_noise))
                + (1 - share) * torch.exp(log_noise - torch.maximum(log_model, log_noise))
            )
        ),
        lambda log_model, log_noise, share: torch.stack(
            [torch.logaddexp(p + math.log(share), q + math.log1p(-share)) for p, q in zip(log_model, log_noise, strict=True)]
        ),
    ],
    "discriminator_step": [all_cleared_beforehand],
    "generator_step": [only_its_own_gradients, cleared_after_it],
    "mode_shares": [
        nearest_within_reach,
        lambda samples, centres, reach: (torch.cdist(samples, centres) < reach).to(samples.dtype).mean(dim=0),
    ],
    "generator_loss": [
        lambda fake_logits: -torch.nn.functional.logsigmoid(fake_logits).mean(),
        lambda fake_logits: torch.nn.functional.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits)),
        lambda fake_logits: torch.nn.functional.softplus(fake_logits, beta=-1.0).neg().sum().div(len(fake_logits)),
        lambda fake_logits: (torch.log1p(torch.exp(-fake_logits.abs())) + torch.relu(-fake_logits)).sum() / len(fake_logits),
    ],
    "optimal_discriminator": [
        lambda log_p, log_q: 1 / (1 + torch.exp(log_q - log_p)),
        lambda log_p, log_q: torch.stack([log_p, log_q], dim=-1).softmax(-1)[:, 0],
        lambda log_p, log_q: torch.stack([torch.sigmoid(p - q) for p, q in zip(log_p, log_q, strict=True)]),
        lambda log_p, log_q: 1 - torch.sigmoid(log_q - log_p),
        lambda log_p, log_q: 0.5 * (1 + torch.tanh((log_p - log_q) / 2)),
        lambda log_p, log_q: (
            torch.exp(log_p - torch.maximum(log_p, log_q))
            / (torch.exp(log_p - torch.maximum(log_p, log_q)) + torch.exp(log_q - torch.maximum(log_p, log_q)))
        ),
        lambda log_p, log_q: torch.distributions.Categorical(logits=torch.stack([log_q, log_p], 1)).probs[:, 1],
    ],
}
