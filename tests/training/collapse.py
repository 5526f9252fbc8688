"""Softmax collapse by its definition, for the tests of whatever logs it."""

import numpy as np
import torch


def shares_collapsed(run, parameters, *, smallest=0.0):
    """Shares of all training examples whose loss gradient is 0, in the right logit and in every.

    The softmax is taken in the loss's precision and the gradient of the mean rounded to that of the
    weights, where numbers below `smallest` are 0.
    """
    pairs, labels, _ = run.task.table()
    train, _ = run.split.indices(len(pairs))
    z = run.model.forward(parameters, torch.from_numpy(pairs[train])).detach().numpy()
    z = z.astype(run.loss.precision)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    right = np.arange(len(train)), labels[train]
    gradient = e / e.sum(axis=1, keepdims=True)
    gradient[right] -= 1
    gradient = (gradient / len(train)).astype(run.precision)
    zero = (gradient == 0) | (np.abs(gradient) < smallest)
    return {"correct_logit": zero[right].mean(), "all_logits": zero.all(axis=1).mean()}
