// Package bench measures the real bootstrap binaries behind the embedded AWS: how much
// CPU an event costs each function, counted by the kernel for the function's processes.
//
// CPU rather than time, because the sender, the embedded AWS and the sink share the
// machine; what they spend is not counted. Results stand in docs/benchmarks.md.
package bench
