"""What others make of the same messages.

`rust/` and `java/` hold programs of our own around their libraries. Such a program is given a message file of
bench.mixes and prints a letter a message: `w` read whole, `s` no SCCP, `t` no TCAP, `m` an argument refused, `u` an
argument it has no type for, `p` a panic or exception. Then every line it is given makes it read all messages once more
and print how many it read whole. Who started it measures: the processor time between the two lines.
"""
