from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.keys.signing import canonical, check_signature, new_signing_key, public_of, sign
from model.errors import InvalidArchive

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(st.text().filter(lambda key: key not in ("algorithm", "public_key", "signature")), values)


@given(documents)
def test_a_signed_document_is_as_its_signer_left_it(document):
    private = new_signing_key()
    signed = sign(private, document)
    check_signature(signed, public_of(private))
    check_signature(signed, None)
    assert {key: signed[key] for key in document} == document


@given(documents, st.text(), values)
def test_a_changed_document_is_refused(document, key, value):
    private = new_signing_key()
    signed = sign(private, document)
    changed = {**signed, key: value}
    if canonical(changed) != canonical(signed):
        with pytest.raises(InvalidArchive):
            check_signature(changed, public_of(private))
        with pytest.raises(InvalidArchive):
            check_signature(changed, None)


def test_another_signer_is_refused_where_one_is_trusted():
    trusted = public_of(new_signing_key())
    forged = sign(new_signing_key(), {"templates": 3})
    check_signature(forged, None)
    with pytest.raises(InvalidArchive, match="not by the one that is trusted"):
        check_signature(forged, trusted)
    with pytest.raises(InvalidArchive):
        check_signature({**forged, "public_key": b64encode(trusted).decode()}, trusted)


@pytest.mark.parametrize("missing", ["signature", "public_key", "algorithm"])
def test_an_unsigned_document_is_refused(missing):
    signed = sign(new_signing_key(), {"templates": 3})
    with pytest.raises(InvalidArchive):
        check_signature({key: value for key, value in signed.items() if key != missing}, None)


@pytest.mark.parametrize("bad", ["", "AAAA", "not base64 \N{SNOWMAN}", 5, None, ["x"]])
@pytest.mark.parametrize("field", ["signature", "public_key", "algorithm"])
def test_a_malformed_signature_is_refused(field, bad):
    with pytest.raises(InvalidArchive):
        check_signature({**sign(new_signing_key(), {}), field: bad}, None)


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"score": float("nan")})
