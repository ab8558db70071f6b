// Package millrace deploys Millrace with CDK. Its construct, [NewBatchExporter], is an API
// in front of the ingest function, a queue and its dead letters, the flush and replay
// functions, what starts them, and the alarms and the dashboard that watch them. Package
// cmd/app is an app of one stack around it.
//
//	exporter, err := millrace.NewBatchExporter(stack, "Millrace", &millrace.BatchExporterProps{
//		ConfigFile: "millrace.yaml",
//	})
//
// Everything that AWS would refuse, and everything that follows from the configuration,
// is checked when the construct is made: the error joins all problems.
//
// The construct is not safe for concurrent use: CDK is one Node process behind a pipe.
package millrace
