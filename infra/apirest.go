package millrace

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// restStage is the stage of the REST API. It is part of the default URL's path, which
// ingest does not see.
const restStage = "v1"

// addREST makes a REST API. With every media type declared binary, it hands each body to
// the function untouched, in base64.
func (e *BatchExporter) addREST() {
	p := &e.props.API
	options := &awsapigateway.StageOptions{
		StageName: jsii.String(restStage), MetricsEnabled: jsii.Bool(true),
		ThrottlingRateLimit:  jsii.Number(float64(p.RequestsPerSecond)),
		ThrottlingBurstLimit: jsii.Number(float64(p.Burst)),
	}
	logs := e.accessLogs()
	if logs != nil {
		options.AccessLogDestination = awsapigateway.NewLogGroupLogDestination(logs)
		options.AccessLogFormat = awsapigateway.AccessLogFormat_Custom(jsii.String(accessLogFormat))
	}
	gateway := awsapigateway.NewLambdaRestApi(e.Construct, jsii.String("Api"), &awsapigateway.LambdaRestApiProps{
		Handler: e.Ingest, RestApiName: e.name(""), BinaryMediaTypes: jsii.Strings("*/*"),
		EndpointTypes: &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		// API Gateway writes access logs with a role of the account; somebody has to set it.
		CloudWatchRole:            jsii.Bool(logs != nil),
		DeployOptions:             options,
		DomainName:                e.restDomain(),
		DisableExecuteApiEndpoint: jsii.Bool(p.DomainName != ""),
		IntegrationOptions:        &awsapigateway.LambdaIntegrationOptions{AllowTestInvoke: jsii.Bool(false)},
	})
	if p.DomainName == "" {
		e.URL = gateway.Url()
	} else {
		e.URL = jsii.String("https://" + p.DomainName)
		e.api.target = gateway.DomainName().DomainNameAliasDomainName()
	}
	e.api.namespace = "AWS/ApiGateway"
	e.api.dimensions = map[string]*string{"ApiName": e.name(""), "Stage": jsii.String(restStage)}
	e.api.count, e.api.client4, e.api.server5 = "Count", "4XXError", "5XXError"
	if p.WebACLARN != "" {
		awswafv2.NewCfnWebACLAssociation(e.Construct, jsii.String("Firewall"), &awswafv2.CfnWebACLAssociationProps{
			ResourceArn: gateway.DeploymentStage().StageArn(), WebAclArn: &p.WebACLARN,
		})
	}
	e.explainREST(gateway)
}

func (e *BatchExporter) restDomain() *awsapigateway.DomainNameOptions {
	p := &e.props.API
	if p.DomainName == "" {
		return nil
	}
	return &awsapigateway.DomainNameOptions{
		DomainName:     &p.DomainName,
		Certificate:    awscertificatemanager.Certificate_FromCertificateArn(e.Construct, jsii.String("Certificate"), &p.CertificateARN),
		EndpointType:   awsapigateway.EndpointType_REGIONAL,
		SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
	}
}

// explainREST answers cdk-nag.
func (e *BatchExporter) explainREST(gateway awsapigateway.LambdaRestApi) {
	skip(gateway, "AwsSolutions-APIG2", "Each protocol checks its own requests, and answers in its own words.")
	for _, child := range *gateway.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		switch child := child.(type) {
		case awsapigateway.CfnMethod:
			skip(child, "AwsSolutions-APIG4", reasonKeys)
			skip(child, "AwsSolutions-COG4", reasonKeys)
		case awsapigateway.CfnStage:
			skip(child, "AwsSolutions-APIG6", "Execution logs hold request bodies, which are customers' events; "+
				"access logs and the function's logs tell what is needed.")
			if e.props.API.WebACLARN == "" {
				skip(child, "AwsSolutions-APIG3", "A web ACL is set with API.WebACLARN; without one, write keys and throttling guard the API.")
			}
			if e.props.API.AccessLogDays < 0 {
				skip(child, "AwsSolutions-APIG1", "API.AccessLogDays is -1: access logs were switched off.")
			}
		}
	}
	if role := gateway.Node().TryFindChild(jsii.String("CloudWatchRole")); role != nil {
		skip(role, "AwsSolutions-IAM4", "AWS's own policy for the role with which API Gateway writes the account's access logs.")
	}
}
