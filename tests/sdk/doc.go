// Package sdk sends events with real, unmodified SDKs to a running `millrace dev` and looks for every single one at the sink. It is a
// module of its own so that the SDKs' dependencies stay out of ours.
package sdk
