"""Verifies or seals the mail on standard input with dkimpy. Keys come from a file of lines "name text" instead of DNS.

peer.py verify KEYS            prints pass or fail for each DKIM-Signature, the topmost first
peer.py arc KEYS               prints what dkimpy says of the chain: pass, fail, none, or ended if a seal says that it failed
peer.py seal KEYS DOMAIN FILE  prints the mail with one more set by DOMAIN, selector s, and the RSA key in FILE
"""
import sys

import dkim

command, keys = sys.argv[1:3]
zone = dict(line.rstrip("\n").split(" ", 1) for line in open(keys))


def lookup(name, timeout=5):
    return zone.get(name.decode().rstrip("."), "").encode() or None


mail = sys.stdin.buffer.read()
if command == "verify":
    verifier = dkim.DKIM(mail)
    n = sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")
    for i in range(n):
        try:
            print("pass" if dkim.DKIM(mail).verify(idx=i, dnsfunc=lookup) else "fail")
        except dkim.DKIMException as e:
            print("fail", e)
elif command == "arc":
    cv, _, reason = dkim.arc_verify(mail, dnsfunc=lookup)
    print((cv or b"ended").decode(), reason)
elif command == "seal":
    domain, key = sys.argv[3:]
    # dkimpy takes the chain's state from an Authentication-Results field of its own server.
    cv, _, _ = dkim.arc_verify(mail, dnsfunc=lookup)
    results = b"Authentication-Results: " + domain.encode() + b"; arc=" + cv + b"\r\n"
    fields = dkim.arc_sign(results + mail, b"s", domain.encode(), open(key, "rb").read(), domain.encode())
    sys.stdout.buffer.write(b"".join(fields) + mail)
