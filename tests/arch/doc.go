// Package arch holds tests of what the compiler and the linters cannot see: what the
// functions link, how long their main files are, where tests sleep, and whether the
// documents still speak of what exists.
package arch
