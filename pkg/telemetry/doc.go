// Package telemetry writes what the functions tell the outside: structured logs and
// metrics, both as JSON lines on the standard output.
//
// [Logger] makes the logger of a function. [Reporter] turns what a ledger counted during
// an invocation into lines of CloudWatch's embedded metric format (EMF), which
// CloudWatch makes into metrics without a call or an agent. [Totals] reads such lines
// back and sums them, which is how `millrace dev` shows live counts.
//
// # A metric line
//
// There is one line per invocation and set of properties:
//
//	member            meaning
//	_aws              EMF: time, namespace (Namespace), dimension sets, names and units
//	requestId         the invocation
//	receiver, tenant  of the counters of ingest
//	sink, class       of the counters of flush
//	one per counter   how many events, by the counter's name in pkg/ledger
//
// Receiver, sink and class are CloudWatch dimensions. The tenant is not: CloudWatch
// bills each combination of dimension values as a metric of its own, 0.30 USD a month,
// so that the bill would grow with the customers. It is in the line for queries.
package telemetry
