"""Right answers to lesson 10 in another style than ours: what a reader may well write."""

import torch


def mutual_information_of_counts(counts):
    joint = counts / counts.sum()

    def entropy(p):
        return -torch.xlogy(p, p).sum()

    return entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint)


def corrected_information(counts):
    seen = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    a, b = seen.shape
    return mutual_information_of_counts(seen) - (a - 1) * (b - 1) / seen.sum() / 2


def turned_weight(weight, rotation):
    return torch.einsum("hl,ml->hm", weight, rotation)


def granted_and_kept(before, after, fact, target):
    asked = torch.nn.functional.one_hot(fact, before.shape[1]).bool()
    granted = after.gather(1, fact.unsqueeze(1)).squeeze(1).eq(target)
    spoiled = (before != after) & ~asked
    return torch.cat([granted[None], (spoiled.sum(1) == 0)[None]])


def mutual_information_gap(information, entropies):
    gaps = []
    for factor, entropy in enumerate(entropies):
        column = information[:, factor].sort(descending=True).values
        gaps.append((column[0] - column[1]) / entropy)
    return torch.stack(gaps)


def probe_accuracy(train, train_labels, test, test_labels):
    one_hot = torch.nn.functional.one_hot(train_labels).to(train.dtype)
    centres = one_hot.T @ train / one_hot.sum(0)[:, None]
    squared = (test[:, None] - centres).square().sum(-1)
    return (squared.min(1).indices == test_labels).to(train.dtype).mean()


def effects_of_fact(codes, table, fact):
    """A constant, and a column for each value but the first of each fact."""
    columns = [torch.ones_like(codes[:, :1])]
    places = []
    for labels in table.T:
        others = range(1, int(labels.max()) + 1)
        places.append(range(len(columns), len(columns) + len(others)))
        columns += [(labels == value).to(codes.dtype)[:, None] for value in others]
    solution = torch.linalg.lstsq(torch.cat(columns, dim=1), codes).solution
    return torch.cat([torch.zeros_like(codes[:1]), solution[list(places[fact])]])


def _information_by_loops(counts):
    joint = counts / counts.sum()
    total = torch.zeros((), dtype=counts.dtype, device=counts.device)
    for a, row in enumerate(joint):
        for b, share in enumerate(row):
            if share > 0:
                total = total + share * torch.log(share / (joint[a].sum() * joint[:, b].sum()))
    return total


def _information_by_categoricals(counts):
    joint = torch.distributions.Categorical(probs=counts.flatten())
    product = torch.outer(counts.sum(1), counts.sum(0)).flatten()
    return torch.distributions.kl_divergence(joint, torch.distributions.Categorical(probs=product))


def _information_without_shares(counts):
    def total(n):
        return torch.xlogy(n, n).sum()

    n = counts.sum()
    return (total(counts) - total(counts.sum(0)) - total(counts.sum(1)) + total(n)) / n


def _gap_without_the_best(information, entropies):
    best = information.argmax(0, keepdim=True)
    others = information.scatter(0, best, float("-inf"))
    return (information.max(0).values - others.max(0).values) / entropies


def _probe_by_loops(train, train_labels, test, test_labels):
    means = {int(v): train[train_labels == v].mean(0) for v in train_labels.unique()}
    right = 0
    for code, label in zip(test, test_labels, strict=True):
        nearest = min(means, key=lambda v: (code - means[v]).norm())
        right += int(nearest == label)
    return torch.tensor(right / len(test), device=test.device)


def _probe_by_products(train, train_labels, test, test_labels):
    count = int(train_labels.max()) + 1
    sums = torch.zeros(count, train.shape[1], dtype=train.dtype, device=train.device).index_add(0, train_labels, train)
    centres = sums / train_labels.bincount(minlength=count)[:, None]
    score = test @ centres.T - centres.square().sum(1) / 2
    return (score.argmax(dim=-1) == test_labels).float().mean()


def _correction_of_entropies(counts):
    """Each entropy by itself; all cells of seen rows and columns count as possible."""
    n = counts.sum()
    shares = counts / n

    def entropy(p):
        return -torch.xlogy(p, p).sum()

    a, b = shares.sum(1).count_nonzero(), shares.sum(0).count_nonzero()
    plain = entropy(shares.sum(1)) + entropy(shares.sum(0)) - entropy(shares)
    return plain + ((a - 1) + (b - 1) - (a * b - 1)) / (2 * n)


def _turned_row_by_row(weight, rotation):
    return torch.stack([rotation @ row for row in weight])


def _wishes_by_loops(before, after, fact, target):
    granted, kept = [], []
    for old, new, f, t in zip(before.tolist(), after.tolist(), fact.tolist(), target.tolist(), strict=True):
        granted.append(new[f] == t)
        kept.append(all(a == b for k, (a, b) in enumerate(zip(old, new, strict=True)) if k != f))
    return torch.tensor([granted, kept], device=before.device)


def _effects_by_taking_out(codes, table, fact):
    """What the other facts explain is taken out of the codes and of the fact's indicators (Frisch & Waugh 1933)."""
    one_hot = torch.nn.functional.one_hot
    columns = [one_hot(labels).to(codes.dtype) for labels in table.T]
    mine = columns.pop(fact)
    others = torch.cat([*columns, torch.ones_like(codes[:, :1])], dim=1)
    back = torch.linalg.pinv(others)

    def left(of):
        return of - others @ (back @ of)

    effects = torch.linalg.pinv(left(mine[:, 1:])) @ left(codes)
    return torch.cat([torch.zeros_like(effects[:1]), effects])


MORE = {
    "mutual_information_of_counts": [
        _information_by_loops,
        _information_by_categoricals,
        _information_without_shares,
        lambda counts: (
            counts / counts.sum() * (counts * counts.sum() / (counts.sum(0) * counts.sum(1, keepdim=True))).log()
        ).nansum(),
    ],
    "mutual_information_gap": [
        _gap_without_the_best,
        lambda information, entropies: -information.sort(dim=0).values[-2:].flip(0).diff(dim=0).squeeze(0) / entropies,
        lambda information, entropies: (information / entropies).T.topk(2).values @ information.new_tensor([1.0, -1.0]),
    ],
    "probe_accuracy": [
        _probe_by_loops,
        _probe_by_products,
        lambda train, train_labels, test, test_labels: (
            (
                torch.cdist(
                    test,
                    torch.nn.functional.normalize(torch.nn.functional.one_hot(train_labels).float(), p=1, dim=0).T @ train,
                ).argmin(1)
                == test_labels
            )
            .float()
            .mean()
        ),
    ],
    "corrected_information": [_correction_of_entropies],
    "turned_weight": [
        _turned_row_by_row,
        lambda weight, rotation: weight @ torch.linalg.inv(rotation),
        lambda weight, rotation: (rotation @ weight.T).T,
        lambda weight, rotation: torch.linalg.solve(rotation.T, weight.T).T,
    ],
    "granted_and_kept": [_wishes_by_loops],
    "effects_of_fact": [_effects_by_taking_out],
}
