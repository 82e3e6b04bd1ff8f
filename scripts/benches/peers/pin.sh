#!/bin/bash
# The usual script for a pin: curl sends, curl reads back, python3 takes the row out of the listing.
# usage: pin.sh verify|promote    with CP_URL, CP_ADMIN_API_TOKEN, TEMPLATE_NAME, IMAGE_DIGEST, GIT_SHA
set -euo pipefail
listing=$(mktemp)
answer=$(mktemp)
trap 'rm -f "$listing" "$answer"' EXIT

if [ "$1" = promote ]; then
  document=$(printf '{"template_name":"%s","image_digest":"%s","git_sha":"%s","notes":"%s"}' \
    "$TEMPLATE_NAME" "$IMAGE_DIGEST" "$GIT_SHA" "bench")
  status=$(curl -sS -o "$answer" -w '%{http_code}' -X POST \
    -H "Authorization: Bearer $CP_ADMIN_API_TOKEN" -H 'Content-Type: application/json' \
    --data "$document" "$CP_URL/cp/admin/runtime-image/promote")
  [ "$status" = 200 ] || { echo "promotion answered $status" >&2; exit 1; }
fi

status=$(curl -sS -o "$listing" -w '%{http_code}' \
  -H "Authorization: Bearer $CP_ADMIN_API_TOKEN" "$CP_URL/cp/admin/runtime-image")
[ "$status" = 200 ] || { echo "listing answered $status" >&2; exit 1; }
live=$(python3 - "$listing" "$TEMPLATE_NAME" <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as file:
    rows = json.load(file)["pins"]
for row in rows:
    if row["template_name"] == sys.argv[2] and row["region"] == "global":
        print(row["image_digest"])
        break
PYTHON
)
[ "$live" = "$IMAGE_DIGEST" ] || { echo "PIN MISMATCH: $live" >&2; exit 1; }
echo "OK: $TEMPLATE_NAME is $live"
