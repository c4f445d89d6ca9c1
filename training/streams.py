"""The six streams that ACLNet's ensembles are made of: what each changes in a recipe."""

from collections.abc import Mapping
from types import MappingProxyType

from model.errors import InvalidRecipe
from training.data.published import DROP_SHARE, FLIP, FLIP_SHARE, PART_DROP, SETTINGS

STREAMS: Mapping[str, str] = MappingProxyType(
    {
        "j": "joint",
        "b": "bone",
        "k": "k-bone",
        "jm": "motion",
        "bm": "bone-motion",
        "km": "k-bone-motion",
    }
)
"""The paper's short names, in its order, to what `network.streams` calls them."""


def stream_settings(recipe_name: str, stream: str) -> list[str]:
    """Settings, as `--set` takes them, that make the joints' recipe that of another stream.

    Published recipes also change how clips are augmented, which differs from stream to stream. Raises `InvalidRecipe`
    for an unknown stream.

    >>> stream_settings("ntu60-xsub", "b")
    ['network.streams=["bone"]', 'augment.mirror=0.5', 'augment.part_drop=0.0']
    >>> stream_settings("my-own", "jm")
    ['network.streams=["motion"]']
    """
    if stream not in STREAMS:
        raise InvalidRecipe(recipe_name, f"has no stream {stream!r}; there are: {', '.join(STREAMS)}")
    settings = [f'network.streams=["{STREAMS[stream]}"]']
    if recipe_name in SETTINGS:
        changes = SETTINGS[recipe_name].changes[stream]
        settings.append(f"augment.mirror={FLIP_SHARE if FLIP in changes else 0.0}")
        settings.append(f"augment.part_drop={DROP_SHARE if PART_DROP in changes else 0.0}")
    return settings
