#!/bin/sh
# The promotion of a build, for any runner that has a shell: pin it in every environment, and prove it. The exit code
# is waybill's own; the first command that fails ends it.
#   WAYBILL_TEMPLATE       the template whose image is pinned
#   WAYBILL_IMAGE_DIGEST   sha256:… of the image that was built
#   WAYBILL_CONFIG         the file with the environments and the names of their token variables
#   WAYBILL_GIT_SHA        the commit (without it, that of the work tree)
set -eu
: "${WAYBILL_TEMPLATE:?is not set}" "${WAYBILL_IMAGE_DIGEST:?is not set}" "${WAYBILL_CONFIG:?is not set}"
sha=${WAYBILL_GIT_SHA:-$(git rev-parse HEAD)}

waybill promote --template "$WAYBILL_TEMPLATE" --digest "$WAYBILL_IMAGE_DIGEST" --git-sha "$sha" --all
waybill verify pin --template "$WAYBILL_TEMPLATE" --digest "$WAYBILL_IMAGE_DIGEST" --all --stable 2 --for 1m
