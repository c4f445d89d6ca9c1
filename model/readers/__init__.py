"""One file a format: keypoint files to skeleton sequences.

>>> from model.readers import Hints, read
>>> recording = read(b'{"people": [{"pose_keypoints_2d": ' + str([100.0, 200.0, 0.9] * 25).encode() + b"}]}")
>>> recording.format, recording.tracks[0].sequence.layout.name
('openpose', 'body-25')
"""

from model.readers.detect import KNOWN, read
from model.readers.recording import Hints, Recording, Track, only_track

__all__ = ["KNOWN", "Hints", "Recording", "Track", "only_track", "read"]
