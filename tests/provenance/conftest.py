"""Pictures in every container, and a signer whose certificate nobody but these tests trusts."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from flows.provenance.packet import TRAINED_ALGORITHMIC_MEDIA

Signer = Callable[[bytes, str], bytes]


def painted(size: tuple[int, int] = (97, 61), mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture of soft blobs with odd sides, transparent in places where `mode` can say so."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (8, 8, len(mode)), dtype=np.uint8)
    image = Image.fromarray(small, mode if mode != "L" else None).resize(size, Image.Resampling.BICUBIC)
    if mode == "RGBA":
        image.putpixel((0, 0), (1, 2, 3, 0))
    return image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture in one of the formats."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif() -> bytes:
    """A little Exif."""
    tags = Image.Exif()
    tags[0x010E] = "a description"
    return tags.tobytes()


def _pictures() -> dict[str, bytes]:
    rgb, clear = painted(), painted(mode="RGBA")
    frames = [painted(seed=seed) for seed in (2, 3)]
    return {
        "png": saved(rgb, "PNG"),
        "png, transparent": saved(clear, "PNG"),
        "png, palette": saved(rgb.quantize(16), "PNG"),
        "png, animated": saved(rgb, "PNG", save_all=True, append_images=frames),
        "jpeg": saved(rgb, "JPEG", quality=83),
        "jpeg, progressive": saved(rgb, "JPEG", progressive=True),
        "jpeg, exif and profile": saved(rgb, "JPEG", exif=exif(), icc_profile=b"p" * 500),
        "jpeg, grey": saved(rgb.convert("L"), "JPEG"),
        "webp, lossy": saved(rgb, "WEBP", quality=70),
        "webp, lossless": saved(rgb, "WEBP", lossless=True),
        "webp, lossless and transparent": saved(clear, "WEBP", lossless=True, exact=True),
        "webp, lossy and transparent": saved(clear, "WEBP", quality=60),
        "webp, exif and profile": saved(rgb, "WEBP", exif=exif(), icc_profile=b"p" * 501),
        "webp, animated": saved(rgb, "WEBP", save_all=True, append_images=frames, duration=100),
    }


PICTURES = _pictures()


@pytest.fixture(scope="session")
def pictures() -> dict[str, bytes]:
    """All of them, by what they are."""
    return PICTURES


@pytest.fixture(params=list(PICTURES))
def picture(request: pytest.FixtureRequest) -> bytes:
    """Every kind of file that can be met."""
    return PICTURES[request.param]


@pytest.fixture(scope="session")
def sign() -> Signer:
    """Add a C2PA manifest to a file of a media type."""
    c2pa = pytest.importorskip("c2pa")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = dt.datetime.now(tz=dt.UTC)

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        root = name == issuer
        usage = x509.KeyUsage(
            digital_signature=not root,
            key_cert_sign=root,
            crl_sign=root,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if not root:
            email = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(email, critical=False)
        return builder.sign(signer, hashes.SHA256())

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate("a leaf", leaf_key, "a root", root_key), certificate("a root", root_key, "a root", root_key)
    pem = serialization.Encoding.PEM
    key = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    info = c2pa.C2paSignerInfo(
        alg=b"es256",
        sign_cert=b"".join(one.public_bytes(pem) for one in chain),
        private_key=key,
        ta_url=None,
    )
    made = {"action": "c2pa.created", "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA}
    actions = {"label": "c2pa.actions", "data": {"actions": [made]}}
    manifest = json.dumps({"claim_generator_info": [{"name": "a test", "version": "1"}], "assertions": [actions]})

    def signed(data: bytes, media_type: str) -> bytes:
        target = io.BytesIO()
        c2pa.Builder(manifest).sign(c2pa.Signer.from_info(info), media_type, io.BytesIO(data), target)
        return target.getvalue()

    return signed
