# jq18.py - libjq 1.8 from PyPI's "jq" package over a whole file: it parses and evaluates, and prints the results that are strings.
# SPDX-License-Identifier: MPL-2.0
import sys
import jq

write = sys.stdout.write
with open(sys.argv[2], encoding="utf-8") as source:
    for text in jq.compile(sys.argv[1]).input_text(source.read()):
        write(f"{text}\n")
