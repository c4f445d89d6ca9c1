"""Bodies: stature, and segment lengths as shares of it, with individual variation.

Mean shares are those of Drillis and Contini (1966) as tabulated by Winter, "Biomechanics and Motor Control of Human
Movement" (fig. 4.1): thigh 0.245, shank 0.246, foot height 0.039, shoulder height 0.818, upper arm 0.186, forearm
0.146, biacromial 0.259, bi-iliac 0.191. Keypoints sit at joint centres, which lie inside of the bony widths, so
shoulders and hips are narrower here.
"""

from dataclasses import asdict, dataclass, fields, replace

import numpy as np

# Mean and standard deviation of stature in metres, by sex.
STATURE = {"female": (1.62, 0.065), "male": (1.755, 0.07)}


@dataclass(frozen=True, slots=True)
class Body:
    """Segment lengths in metres. Widths run from joint centre to joint centre; `nose_forward`, `eye_*` and `ear_*`
    place the face around the centre of the head, `neck` reaches from the shoulder line to that centre."""

    stature: float
    thigh: float
    shank: float
    foot_height: float
    foot_length: float
    hip_width: float
    trunk: float
    shoulder_width: float
    upper_arm: float
    forearm: float
    neck: float
    nose_forward: float
    nose_down: float
    eye_forward: float
    eye_up: float
    eye_spacing: float
    ear_spacing: float
    ear_up: float

    @property
    def leg(self) -> float:
        return self.thigh + self.shank + self.foot_height


# Shares of stature; the second number is the relative standard deviation between people of one stature.
_SHARES: dict[str, tuple[float, float]] = {
    "thigh": (0.245, 0.028),
    "shank": (0.246, 0.028),
    "foot_height": (0.039, 0.05),
    "foot_length": (0.152, 0.04),
    "hip_width": (0.115, 0.055),
    "trunk": (0.288, 0.028),
    "shoulder_width": (0.205, 0.045),
    "upper_arm": (0.172, 0.032),
    "forearm": (0.150, 0.032),
    "neck": (0.115, 0.055),
    "nose_forward": (0.062, 0.06),
    "nose_down": (0.008, 0.3),
    "eye_forward": (0.046, 0.06),
    "eye_up": (0.012, 0.2),
    "eye_spacing": (0.037, 0.05),
    "ear_spacing": (0.086, 0.05),
    "ear_up": (0.004, 0.5),
}
# Women are broader at the hips and narrower at the shoulders; factors on the mean share.
_SEX_FACTORS = {
    "female": {"hip_width": 1.05, "shoulder_width": 0.96},
    "male": {"hip_width": 0.96, "shoulder_width": 1.03},
}
# Legs long for the stature come with a short trunk: the deviations of leg segments are shared to this extent.
_SHARED_LEG = 0.5


def draw_sex(rng: np.random.Generator) -> str:
    """The first draw of a body."""
    return "female" if rng.random() < 0.5 else "male"


def draw_body(rng: np.random.Generator) -> Body:
    """A random adult."""
    sex = draw_sex(rng)
    mean, sd = STATURE[sex]
    stature = mean + sd * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    deviation = dict(zip(_SHARES, np.clip(rng.standard_normal(len(_SHARES)), -2.5, 2.5), strict=True))
    legs = float(np.clip(rng.standard_normal(), -2.5, 2.5))
    own = np.sqrt(1 - _SHARED_LEG**2)
    for segment in ("thigh", "shank"):
        deviation[segment] = own * deviation[segment] + _SHARED_LEG * legs
    deviation["trunk"] = own * deviation["trunk"] - _SHARED_LEG * legs
    lengths = {
        name: stature * share * _SEX_FACTORS[sex].get(name, 1.0) * (1 + spread * float(deviation[name]))
        for name, (share, spread) in _SHARES.items()
    }
    return Body(stature=stature, **lengths)


def standard_body(stature: float = 1.69) -> Body:
    """The body everybody has when body size is to tell nothing: mean shares of a mean stature."""
    return Body(stature=stature, **{name: stature * share for name, (share, _) in _SHARES.items()})


def scaled(body: Body, factor: float) -> Body:
    """The same proportions at another size."""
    return replace(body, **{field.name: getattr(body, field.name) * factor for field in fields(body)})


def proportions(body: Body) -> dict[str, float]:
    """Segment lengths as shares of stature."""
    return {name: value / body.stature for name, value in asdict(body).items() if name != "stature"}
