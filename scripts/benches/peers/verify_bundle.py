"""What Debian's python3-securesystemslib needs around it to prove that a key signed a statement about a file.

usage: python3 verify_bundle.py BUNDLE PUBLIC_KEY_IN_HEX FILE
"""

import base64
import hashlib
import json
import sys

from securesystemslib import keys

with open(sys.argv[1]) as file:
    envelope = json.load(file)["dsseEnvelope"]
payload = base64.b64decode(envelope["payload"], validate=True)
kind = envelope["payloadType"].encode()
signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True).hex()
key = {"keytype": "ed25519", "scheme": "ed25519", "keyid": "ab" * 32, "keyval": {"public": sys.argv[2]}}
if not keys.verify_signature(key, {"keyid": key["keyid"], "sig": signature}, signed):
    sys.exit("the signature does not hold")
with open(sys.argv[3], "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
if all(subject["digest"].get("sha256") != digest for subject in json.loads(payload)["subject"]):
    sys.exit("it is about another file")
