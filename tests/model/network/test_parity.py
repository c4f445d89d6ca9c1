"""The backbone against tensors recorded from the published modules."""

import re

import numpy as np
import pytest
import torch

from model.network.backbone import Backbone
from tests.recordings import recordings_dir

RECORDED = recordings_dir() / "reference/parity/backbone_coco17_base16.npz"
WIDTHS, STRIDES = (16,) * 4 + (32,) * 3 + (64,) * 3, (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
TOLERANCE = 1e-4

# Published name to ours. Where several go to one name, ours is their concatenation in the order of their names.
NAMES = {
    r"data_bn\.(.*)": r"data_norm.\1",
    r"gcn\.(\d+)\.gcn\.A": r"blocks.\1.spatial.static",
    r"gcn\.(\d+)\.gcn\.(alpha|beta)": r"blocks.\1.spatial.\2",
    r"gcn\.(\d+)\.gcn\.(pre|post|down)\.(.*)": r"blocks.\1.spatial.\2.\3",
    r"gcn\.(\d+)\.gcn\.conv[12]\.(.*)": r"blocks.\1.spatial.relation.\2",
    r"gcn\.(\d+)\.gcn\.bn\.(.*)": r"blocks.\1.spatial.norm.\2",
    r"gcn\.(\d+)\.tcn\.add_coeff": r"blocks.\1.temporal.coefficient",
    r"gcn\.(\d+)\.tcn\.branches\.[0-4]\.0\.(.*)": r"blocks.\1.temporal.heads.\2",
    r"gcn\.(\d+)\.tcn\.branches\.5\.(.*)": r"blocks.\1.temporal.heads.\2",
    r"gcn\.(\d+)\.tcn\.branches\.[0-4]\.1\.(.*)": r"blocks.\1.temporal.heads_norm.\2",
    r"gcn\.(\d+)\.tcn\.branches\.([0-3])\.3\.conv\.(.*)": r"blocks.\1.temporal.dilated.\2.\3",
    r"gcn\.(\d+)\.tcn\.transform\.0\.(.*)": r"blocks.\1.temporal.fuse_norm.\2",
    r"gcn\.(\d+)\.tcn\.transform\.2\.(.*)": r"blocks.\1.temporal.fuse.\2",
    r"gcn\.(\d+)\.tcn\.bn\.(.*)": r"blocks.\1.temporal.norm.\2",
    r"gcn\.(\d+)\.residual\.conv\.(.*)": r"blocks.\1.residual.0.\2",
    r"gcn\.(\d+)\.residual\.bn\.(.*)": r"blocks.\1.residual.1.\2",
}


def _ours(name: str) -> str:
    (ours,) = (re.sub(pattern, to, name) for pattern, to in NAMES.items() if re.fullmatch(pattern, name))
    return ours


def _carry_over(published: dict[str, torch.Tensor], network: torch.nn.Module) -> None:
    groups: dict[str, list[torch.Tensor]] = {}
    for name in sorted(published):
        groups.setdefault(_ours(name), []).append(published[name])
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    counters = {name: group[0] for name, group in groups.items() if name.endswith("num_batches_tracked")}
    tensors = {name: torch.cat(group) for name, group in groups.items() if name not in counters}
    network.load_state_dict(counters | {name: tensor.reshape(shapes[name]) for name, tensor in tensors.items()})


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    if not RECORDED.exists():
        pytest.skip(f"recorded tensors are not here ({RECORDED}); GAITKEEPER_RECORDINGS says where")
    with np.load(RECORDED, allow_pickle=False) as arrays:
        return dict(arrays)


def test_the_published_weights_give_the_published_outputs(recorded):
    network = Backbone(3, 17, WIDTHS, STRIDES)
    _carry_over({k.removeprefix("weight/"): torch.tensor(v) for k, v in recorded.items() if "/" in k}, network)
    with torch.inference_mode():
        features = network.eval()(torch.tensor(recorded["input"]))
    assert features.map.shape == recorded["output_map"].shape
    assert np.abs(features.map.numpy() - recorded["output_map"]).max() < TOLERANCE
    assert np.abs(features.graph.numpy() - recorded["output_graph"]).max() < TOLERANCE
