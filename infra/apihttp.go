package millrace

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// accessLogFormat is one JSON line per request, without the caller's address: it is
// personal data, and nothing here needs it.
const accessLogFormat = `{"requestId":"$context.requestId","time":"$context.requestTime","method":"$context.httpMethod",` +
	`"path":"$context.path","status":"$context.status","requestBytes":"$context.requestLength",` +
	`"responseBytes":"$context.responseLength","latencyMs":"$context.responseLatency","error":"$context.integrationErrorMessage"}`

// addHTTP makes an HTTP API. It hands every body to the function untouched: binary ones in
// base64.
func (e *BatchExporter) addHTTP() {
	gateway := awsapigatewayv2.NewHttpApi(e.Construct, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		ApiName:            e.name(""),
		CreateDefaultStage: jsii.Bool(false),
		DefaultIntegration: awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Ingest"), e.Ingest, nil),
		// Whoever has a custom domain does not want it to be walked around.
		DisableExecuteApiEndpoint: jsii.Bool(e.props.API.DomainName != ""),
	})
	stage := awsapigatewayv2.NewHttpStage(e.Construct, jsii.String("Stage"), &awsapigatewayv2.HttpStageProps{
		HttpApi: gateway, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
		Throttle: &awsapigatewayv2.ThrottleSettings{
			RateLimit:  jsii.Number(float64(e.props.API.RequestsPerSecond)),
			BurstLimit: jsii.Number(float64(e.props.API.Burst)),
		},
		DomainMapping: e.httpDomain(),
	})
	e.logHTTP(stage)
	if e.props.API.DomainName == "" {
		e.URL = gateway.ApiEndpoint()
	} else {
		e.URL = jsii.String("https://" + e.props.API.DomainName)
	}
	e.api.namespace, e.api.dimensions = "AWS/ApiGateway", map[string]*string{"ApiId": gateway.ApiId()}
	e.api.count, e.api.client4, e.api.server5 = "Count", "4xx", "5xx"
	for _, route := range *gateway.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if _, isRoute := route.(awsapigatewayv2.CfnRoute); isRoute {
			skip(route, "AwsSolutions-APIG4", reasonKeys)
		}
	}
}

// reasonKeys answers why the API has no authorizer.
const reasonKeys = "SDKs authenticate with a write key, in the place that their protocol has for it; ingest checks it."

// httpDomain makes the custom domain, and says nothing when there is none.
func (e *BatchExporter) httpDomain() *awsapigatewayv2.DomainMappingOptions {
	p := &e.props.API
	if p.DomainName == "" {
		return nil
	}
	domain := awsapigatewayv2.NewDomainName(e.Construct, jsii.String("Domain"), &awsapigatewayv2.DomainNameProps{
		DomainName:  &p.DomainName,
		Certificate: awscertificatemanager.Certificate_FromCertificateArn(e.Construct, jsii.String("Certificate"), &p.CertificateARN),
	})
	e.api.target = domain.RegionalDomainName()
	return &awsapigatewayv2.DomainMappingOptions{DomainName: domain}
}

// logHTTP switches access logs on.
func (e *BatchExporter) logHTTP(stage awsapigatewayv2.HttpStage) {
	logs := e.accessLogs()
	if logs == nil {
		skip(stage, "AwsSolutions-APIG1", "API.AccessLogDays is -1: access logs were switched off.")
		return
	}
	if resource, ok := stage.Node().DefaultChild().(awsapigatewayv2.CfnStage); ok {
		resource.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
			DestinationArn: logs.LogGroupArn(), Format: awsapigateway.AccessLogFormat_Custom(jsii.String(accessLogFormat)).ToString(),
		})
	}
}
