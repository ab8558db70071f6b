package millrace

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// periodMinutes is the resolution of all metrics here.
const periodMinutes = 5

// leastRequests is how many requests a period needs before a share of them means anything.
const leastRequests = 20

func period() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(periodMinutes)) }

func sum() *awscloudwatch.MetricOptions { return statistic("Sum") }

func maximum() *awscloudwatch.MetricOptions { return statistic("Maximum") }

func statistic(name string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: &name, Period: period()}
}

// counter is a metric of the functions' own, with its label.
func counter(name ledger.Counter, dimensions map[string]*string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(telemetry.Namespace), MetricName: jsii.String(string(name)),
		DimensionsMap: &dimensions, Statistic: jsii.String("Sum"), Period: period(),
	})
}

// refusedPercent is the share of requests that get 4xx, 0 while there are few.
func (e *BatchExporter) refusedPercent() awscloudwatch.IMetric {
	return math("refused requests, %", fmt.Sprintf("IF(requests >= %d, 100 * refused / requests, 0)", leastRequests), map[string]awscloudwatch.IMetric{
		"refused": e.api.metric(e.api.client4), "requests": e.api.metric(e.api.count),
	})
}

// throttles is how often ingest and flush could not start.
func (e *BatchExporter) throttles() awscloudwatch.IMetric {
	return math("throttles", "ingest + flush", map[string]awscloudwatch.IMetric{
		"ingest": e.Ingest.MetricThrottles(sum()), "flush": e.Flush.MetricThrottles(sum()),
	})
}

// List prices in us-east-1, in dollars. Source: the price lists of AWS Lambda, Amazon SQS,
// Amazon API Gateway and Amazon DynamoDB, 2026-09.
const (
	priceHTTPRequest    = 1.00e-6
	priceRESTRequest    = 3.50e-6
	priceInvocation     = 0.20e-6
	priceARMGigabyteSec = 1.33334e-5
	priceX86GigabyteSec = 1.66667e-5
	priceQueueRequest   = 0.40e-6
	priceWriteUnit      = 0.625e-6
)

// costPerMillion is an estimate from list prices: API requests, invocations and their
// duration, one SQS request for each message sent, received and deleted, and the writes of
// the table. It leaves out logs, data out and the surcharge of packs above 64 KB.
func (e *BatchExporter) costPerMillion() awscloudwatch.IMetric {
	request := map[string]float64{APIHTTP: priceHTTPRequest, APIREST: priceRESTRequest, APIFunctionURL: 0}[e.props.API.Kind]
	second := priceARMGigabyteSec
	if e.props.Functions.Architecture == ArchitectureX8664 {
		second = priceX86GigabyteSec
	}
	millisecond := func(memoryMB int) float64 { return second * float64(memoryMB) / 1024 / 1000 }
	// No exponents: CloudWatch takes the e for the name of a metric.
	cost := fmt.Sprintf("(requests * %.12f + (ingest + flush) * %.12f + ingestms * %.12f + flushms * %.12f + (sent + received + deleted) * %.12f)",
		request, priceInvocation, millisecond(e.props.Functions.IngestMemoryMB), millisecond(e.props.Flush.MemoryMB), priceQueueRequest)
	accepted, names := e.accepted()
	accepted["requests"] = e.api.metric(e.api.count)
	accepted["ingest"], accepted["ingestms"] = e.Ingest.MetricInvocations(sum()), e.Ingest.MetricDuration(sum())
	accepted["flush"], accepted["flushms"] = e.Flush.MetricInvocations(sum()), e.Flush.MetricDuration(sum())
	accepted["sent"] = e.Queue.MetricNumberOfMessagesSent(sum())
	accepted["received"], accepted["deleted"] = e.Queue.MetricNumberOfMessagesReceived(sum()), e.Queue.MetricNumberOfMessagesDeleted(sum())
	if e.Table != nil {
		cost = fmt.Sprintf("(%s + FILL(written, 0) * %.12f)", cost, priceWriteUnit)
		accepted["written"] = e.tableWrites()
	}
	return math("$ per million events", "1000000 * "+cost+" / ("+strings.Join(names, " + ")+")", accepted)
}

// accepted are the events that ingest took, by receiver, with the names of the metrics.
func (e *BatchExporter) accepted() (metrics map[string]awscloudwatch.IMetric, names []string) {
	metrics = map[string]awscloudwatch.IMetric{}
	for _, receiver := range config.Receivers() {
		name := "from" + receiver
		metrics[name] = counter(ledger.Accepted, map[string]*string{"receiver": &receiver})
		names = append(names, fmt.Sprintf("FILL(%s, 0)", name))
	}
	return metrics, names
}

func math(label, expression string, metrics map[string]awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Label: &label, Expression: &expression, UsingMetrics: &metrics, Period: period(),
	})
}

// latency is how long invocations of a function take, at a percentile.
func latency(function awslambda.Function, percentile string) awscloudwatch.IMetric {
	return function.MetricDuration(&awscloudwatch.MetricOptions{
		Statistic: &percentile, Period: period(), Label: jsii.String(*function.Node().Id() + " " + percentile),
	})
}
