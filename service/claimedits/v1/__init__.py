"""Generated from proto/claimedits/v1 by .ci/generate-stubs; not written by hand."""
