package millrace

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/ledger"
)

// Half of a dashboard's 24 columns.
const halfWidth = 12

// addDashboard makes one page that tells whether events go through, and at what price.
func (e *BatchExporter) addDashboard() {
	received := make([]awscloudwatch.IMetric, 0, len(config.Receivers()))
	for _, receiver := range config.Receivers() {
		received = append(received, counter(ledger.Accepted, map[string]*string{"receiver": &receiver}))
	}
	dashboard := awscloudwatch.NewDashboard(e.Construct, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{DashboardName: e.name("")})
	dashboard.AddWidgets(
		graph("Events in, by receiver", received...),
		graph("Events out, by sink", e.bySink(ledger.Delivered)...),
	)
	dashboard.AddWidgets(
		graph("Handed back to the queue, by sink", e.bySink(ledger.Deferred)...),
		graph("Dead letters written, by sink", e.bySink(ledger.DeadLettered)...),
	)
	dashboard.AddWidgets(
		graph("Age of the oldest pack and dead letter, s",
			e.Queue.MetricApproximateAgeOfOldestMessage(maximum()), e.DeadLetters.MetricApproximateAgeOfOldestMessage(maximum())),
		graph("Packs and dead letters waiting",
			e.Queue.MetricApproximateNumberOfMessagesVisible(maximum()), e.DeadLetters.MetricApproximateNumberOfMessagesVisible(maximum())),
	)
	dashboard.AddWidgets(
		graph("Duration, ms", latency(e.Ingest, "p50"), latency(e.Ingest, "p99"), latency(e.Flush, "p50"), latency(e.Flush, "p99")),
		graph("Requests, refusals and errors", e.api.metric(e.api.count), e.api.metric(e.api.client4), e.api.metric(e.api.server5), e.throttles()),
	)
	dashboard.AddWidgets(graph("Cost per million events, $ (list prices, see docs/deploy.md)", e.costPerMillion()))
}

func (e *BatchExporter) bySink(name ledger.Counter) []awscloudwatch.IMetric {
	metrics := make([]awscloudwatch.IMetric, 0, len(e.config.Sinks))
	for _, sink := range slices.Sorted(maps.Keys(e.config.Sinks)) {
		metrics = append(metrics, counter(name, map[string]*string{"sink": &sink}))
	}
	return metrics
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.GraphWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &metrics, Width: jsii.Number(halfWidth),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)},
	})
}
