package millrace

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// api is what alarms and outputs need of the API, whatever its kind.
type api struct {
	// namespace and dimensions of its metrics, and their names.
	namespace               string
	dimensions              map[string]*string
	count, client4, server5 string
	// target is what the DNS record of the custom domain points at; nil without one.
	target *string
}

// addAPI makes the front door. The function itself answers CORS and 404, so that SDKs
// see the protocol's own words.
func (e *BatchExporter) addAPI() {
	switch e.props.API.Kind {
	case APIREST:
		e.addREST()
	case APIFunctionURL:
		e.addFunctionURL()
	default:
		e.addHTTP()
	}
}

func (e *BatchExporter) addFunctionURL() {
	url := e.Ingest.AddFunctionUrl(&awslambda.FunctionUrlOptions{AuthType: awslambda.FunctionUrlAuthType_NONE})
	e.URL = url.Url()
	e.api = api{
		namespace: "AWS/Lambda", dimensions: map[string]*string{"FunctionName": e.Ingest.FunctionName()},
		count: "UrlRequestCount", client4: "Url4xxCount", server5: "Url5xxCount",
	}
}

// accessLogs returns the log group of the API, nil when it writes none.
func (e *BatchExporter) accessLogs() awslogs.ILogGroup {
	if e.props.API.AccessLogDays < 0 {
		return nil
	}
	return awslogs.NewLogGroup(e.Construct, jsii.String("AccessLogs"), &awslogs.LogGroupProps{
		LogGroupName: e.name("-api-access"), Retention: retentionDays[e.props.API.AccessLogDays], RemovalPolicy: e.removal(),
	})
}

// metric is one metric of the API, summed over five minutes.
func (a *api) metric(name string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: &a.namespace, MetricName: &name, DimensionsMap: &a.dimensions, Statistic: jsii.String("Sum"), Period: period(),
	})
}
