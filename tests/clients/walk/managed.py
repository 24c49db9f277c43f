"""What ECS manages of the ingress of services: gateways from their creation to their end, and an Express service."""

ROLE = "arn:aws:iam::111122223333:role/ecsInfrastructureRole"


def walk_gateways(ecs, check, cluster, service, task_definition):
    """A gateway of its own, with a service behind it; both are gone in the end."""
    document = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    containers = [{**c, "portMappings": [{**m, "name": f"port-{i}"} for i, m in enumerate(c["portMappings"])]}
                  for c in document["containerDefinitions"]]
    keys = ("networkMode", "executionRoleArn", "requiresCompatibilities", "cpu", "memory")
    named = ecs.register_task_definition(
        family="walk-gateway", containerDefinitions=containers, **{k: document[k] for k in keys if k in document}
    )["taskDefinition"]["taskDefinitionArn"]
    made = ecs.create_gateway(
        name="walk", infrastructureRoleArn=ROLE, configuration={"hostSharedAlb": {"scheme": "internal", "port": 443}},
        tags=[{"key": "walk", "value": "1"}], deletionProtection=False)
    if made["status"] != "ACTIVE":
        check.violate("CreateGateway", ".status", f"is {made['status']}")
    check.refuses(ecs.describe_gateway, "GatewayNotFoundException", gateway="no-such-gateway")
    ecs.associate_gateway_with_cluster(gateway="walk", cluster=cluster)
    if ecs.describe_gateway(gateway=made["gatewayArn"])["gateway"]["accessType"] != "PRIVATE":
        check.violate("DescribeGateway", ".gateway.accessType", "is not that of its scheme")
    if [g["name"] for g in ecs.list_gateways(names=["walk"])["gateways"]] != ["walk"]:
        check.violate("ListGateways", ".gateways", "lacks the new one")
    ecs.list_gateway_cluster_associations(gateway="walk")
    network = {"networkConfiguration": service["networkConfiguration"]} if "networkConfiguration" in service else {}
    ecs.create_service(
        cluster=cluster, serviceName="walk-gateway", taskDefinition=named, desiredCount=0,
        launchType=service.get("launchType", "EC2"),
        gatewayConnectors=[{
            "portName": "port-0",
            "healthCheck": {"healthCheckPath": "/healthz", "healthCheckIntervalSeconds": 10},
            "filters": {"accessTypes": ["PRIVATE"]},
            "deregistrationDelay": {"timeoutSeconds": 30},
        }],
        deploymentConfiguration={"deploymentCircuitBreaker": {
            "enable": True, "rollback": True, "resetOnHealthyTask": False,
            "thresholdConfiguration": {"type": "COUNT", "value": 7}}},
        **network)
    shown = ecs.describe_services(cluster=cluster, services=["walk-gateway"])["services"][0]
    if shown["deploymentConfiguration"]["deploymentCircuitBreaker"]["thresholdConfiguration"]["value"] != 7:
        check.violate("DescribeServices", ".services[].deploymentConfiguration", "has another threshold than was asked for")
    if shown["loadBalancers"]:
        check.violate("DescribeServices", ".services[].loadBalancers", "shows what a gateway manages")
    revision = shown["currentServiceRevisions"][0]["arn"]
    found = ecs.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"][0]
    connection = found["ecsManagedResources"]["gatewayConnections"][0]
    if connection["gatewayArn"] != made["gatewayArn"] or not connection["resources"]["hostSharedAlb"][0]["targetGroupArn"]:
        check.violate("DescribeServiceRevisions", ".serviceRevisions[].ecsManagedResources", f"is {connection}")
    routes = ecs.list_gateway_routes(cluster=cluster, service="walk-gateway")["gatewayRoutes"]
    ecs.describe_gateway_route(gatewayRouteArn=routes[0]["gatewayRouteArn"])
    ecs.describe_gateway_resources(gateway="walk")
    ecs.update_service(cluster=cluster, service="walk-gateway", gatewayConnectors=[])
    if ecs.list_gateway_routes(cluster=cluster, service="walk-gateway")["gatewayRoutes"]:
        check.violate("ListGatewayRoutes", ".gatewayRoutes", "has a route that no connector asks for")
    ecs.disassociate_gateway_from_cluster(gateway="walk", cluster=cluster)
    ecs.delete_gateway(gateway="walk")
    ecs.delete_service(cluster=cluster, service="walk-gateway", force=True)


def walk_express(ecs, check, cluster):
    """An Express service from its creation to its end."""
    made = ecs.create_express_gateway_service(
        cluster=cluster, serviceName="walk-express", infrastructureRoleArn=ROLE,
        executionRoleArn="arn:aws:iam::111122223333:role/execution", healthCheckPath="/healthz", cpu="256", memory="512",
        primaryContainer={"image": "example/web:1", "containerPort": 8080, "environment": [{"name": "A", "value": "1"}]},
        scalingTarget={"minTaskCount": 1, "maxTaskCount": 2}, tags=[{"key": "walk", "value": "1"}])["service"]
    arn = made["serviceArn"]
    shown = ecs.describe_express_gateway_service(serviceArn=arn, include=["TAGS"])["service"]
    path = shown["activeConfigurations"][0]["ingressPaths"][0]
    if path["accessType"] != "PUBLIC" or not path["endpoint"]:
        check.violate("DescribeExpressGatewayService", ".service.activeConfigurations[].ingressPaths[]", f"is {path}")
    revision = shown["activeConfigurations"][0]["serviceRevisionArn"]
    managed = ecs.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"][0]["ecsManagedResources"]
    if managed["ingressPaths"][0]["targetGroups"][0]["port"] != 8080:
        check.violate("DescribeServiceRevisions", ".serviceRevisions[].ecsManagedResources", f"is {managed}")
    ecs.update_express_gateway_service(serviceArn=arn, primaryContainer={"image": "example/web:2", "containerPort": 8080})
    if arn not in ecs.list_services(cluster=cluster, resourceManagementType="ECS")["serviceArns"]:
        check.violate("ListServices", ".serviceArns", "lacks the Express service")
    check.refuses(ecs.describe_express_gateway_service, "ResourceNotFoundException", serviceArn=f"{arn}-none")
    ecs.delete_express_gateway_service(serviceArn=arn)
