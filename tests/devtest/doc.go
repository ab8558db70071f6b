// Package devtest runs `millrace dev` as a process of its own, on free ports and with data of its own, for the tests that use the
// real binaries. It needs what `make build` makes.
package devtest
