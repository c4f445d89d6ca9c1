"""A run's network behind the protocols of `model.runtime`: what evaluates takes a run without an export."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from model.bundle import Task
from model.errors import InvalidRequest
from model.execution import MOST_CLIPS
from model.graph import Device
from model.network.ensemble import graph_of, shares_of
from model.network.folding import folded
from model.runtime import check_clips
from model.sequence import Floats
from training.ensemble import Ensemble
from training.run import Run


class TorchEncoder:
    """The embeddings of a run, or of several with their weights. device: `auto` is a GPU where there is one.

    The fingerprint is another than that of an exported bundle: equal weights give equal ones, and nothing else does.
    Raises `InvalidRequest` as `Ensemble` does, and for a device that is not there.
    """

    def __init__(
        self, runs: Run | Sequence[Run], weights: Sequence[float] | None = None, *, device: Device = "auto"
    ) -> None:
        made = Ensemble.of(runs, weights)
        self._model = _TorchModel(made, "encoder", device)
        self.fingerprint, self.layout, self.clip, self.dim = self._model.fingerprint, made.layout, made.clip, made.dim

    def embed_clips(self, clips: Floats) -> Floats:
        """Raises `InvalidSequence` for clips of another shape or type."""
        return self._model.run(clips)


class TorchClassifier:
    """The probabilities of a run, or the weighted mean of several runs'; otherwise as `TorchEncoder`."""

    def __init__(
        self, runs: Run | Sequence[Run], weights: Sequence[float] | None = None, *, device: Device = "auto"
    ) -> None:
        made = Ensemble.of(runs, weights)
        self._model = _TorchModel(made, "classifier", device)
        self.fingerprint, self.layout, self.clip = self._model.fingerprint, made.layout, made.clip
        self.labels = made.labels

    def probabilities(self, clips: Floats) -> Floats:
        """Raises `InvalidSequence` for clips of another shape or type."""
        return self._model.run(clips)


class _TorchModel:
    def __init__(self, made: Ensemble, task: Task, device: Device) -> None:
        self._device = _device(device)
        self._layout, self._clip = made.layout, made.clip
        self._width = made.dim if task == "encoder" else len(made.labels)
        self.fingerprint = _fingerprint(made, task)
        # Folded as in the export, and copies: the runs' networks stay where and as they are.
        self._graph: nn.Module = graph_of(task, [folded(one) for one in made.networks], made.weights).to(self._device)

    def run(self, clips: Floats) -> Floats:
        check_clips(clips, self._layout, self._clip)
        most = MOST_CLIPS // self._clip.people
        parts = [self._run(clips[start : start + most]) for start in range(0, len(clips), most)]
        return np.concatenate(parts) if parts else np.empty((0, self._width), np.float32)

    @torch.inference_mode()
    def _run(self, clips: Floats) -> Floats:
        values: Floats = self._graph(torch.tensor(clips, device=self._device)).float().cpu().numpy()
        return values


def _device(device: Device) -> torch.device:
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InvalidRequest("device", "CUDA was asked for, and torch has no CUDA device here")
    return torch.device("cuda" if there and device != "cpu" else "cpu")


def _fingerprint(made: Ensemble, task: Task) -> str:
    about = [run.recipe.network.model_dump(mode="json") for run in made.runs]
    decides: dict[str, Any] = {"task": task, "networks": about, "shares": shares_of(made.weights, len(made.runs))}
    decides["clip"] = made.clip.decides()
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for network in made.networks:
        for name, tensor in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
