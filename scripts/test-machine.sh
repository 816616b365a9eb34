#!/bin/sh
# What the tests need besides Python packages. Says plainly what could not be had; the tests that
# need it are then skipped with that reason.
set -u
missing=""
have_browser() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }
wanted=""
have_browser || wanted="$wanted chromium"
[ -e /usr/share/datasets/fashion-mnist ] || wanted="$wanted dataset-fashion-mnist"
fc-list 2>/dev/null | grep -qi 'noto.*cjk\|wqy\|source han' || wanted="$wanted fonts-noto-cjk"
if [ -n "$wanted" ] && command -v apt-get >/dev/null; then
  root=""
  [ "$(id -u)" = 0 ] || root="sudo -n"
  echo "Installing for the tests:$wanted"
  # shellcheck disable=SC2086  # the list is meant to be split
  { $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq $wanted; } >/dev/null 2>&1 || true
fi
have_browser || .venv/bin/python -m playwright install chromium >/dev/null 2>&1 || missing="$missing
  - a Chromium browser: the tests of the pages are skipped. Install Debian's package chromium."
[ -e /usr/share/datasets/fashion-mnist ] || missing="$missing
  - Fashion-MNIST: its tests are skipped. Install Debian's package dataset-fashion-mnist."
if [ -n "$missing" ]; then
  echo "Could not be had on this machine:$missing"
fi
