"""The 120 actions of NTU RGB+D, in its makers' words and order; the first 60 are those of NTU RGB+D 60.

From https://github.com/shahroudy/NTURGB-D, without what stands there in brackets.
"""

from functools import cache

_LIST = """
drink water; eat meal/snack; brushing teeth; brushing hair; drop; pickup; throw; sitting down; standing up;
clapping; reading; writing; tear up paper; wear jacket; take off jacket; wear a shoe; take off a shoe; wear on
glasses; take off glasses; put on a hat/cap; take off a hat/cap; cheer up; hand waving; kicking something; reach
into pocket; hopping; jump up; make a phone call/answer phone; playing with phone/tablet; typing on a keyboard;
pointing to something with finger; taking a selfie; check time; rub two hands together; nod head/bow; shake head;
wipe face; salute; put the palms together; cross hands in front; sneeze/cough; staggering; falling; touch head;
touch chest; touch back; touch neck; nausea or vomiting condition; use a fan/feeling warm; punching/slapping other
person; kicking other person; pushing other person; pat on back of other person; point finger at the other person;
hugging other person; giving something to other person; touch other person's pocket; handshaking; walking towards
each other; walking apart from each other; put on headphone; take off headphone; shoot at the basket; bounce ball;
tennis bat swing; juggling table tennis balls; hush; flick hair; thumb up; thumb down; make ok sign; make victory
sign; staple book; counting money; cutting nails; cutting paper; snapping fingers; open bottle; sniff; squat down;
toss a coin; fold paper; ball up paper; play magic cube; apply cream on face; apply cream on hand back; put on bag;
take off bag; put something into a bag; take something out of a bag; open a box; move heavy objects; shake fist;
throw up cap/hat; hands up; cross arms; arm circles; arm swings; running on the spot; butt kicks; cross toe touch;
side kick; yawn; stretch oneself; blow nose; hit other person with something; wield knife towards other person;
knock over other person; grab other person's stuff; shoot at other person with a gun; step on foot; high-five;
cheers and drink; carry something with other person; take a photo of other person; follow other person; whisper in
other person's ear; exchange things with other person; support somebody with hand; finger-guessing game
"""


@cache
def action_names() -> tuple[str, ...]:
    """Names of A001 to A120.

    >>> action_names()[10], action_names()[13], len(set(action_names()))
    ('reading', 'wear jacket', 120)
    """
    return tuple(name.strip() for name in " ".join(_LIST.split()).split(";"))
