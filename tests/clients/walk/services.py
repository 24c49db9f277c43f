"""Clusters and services, from their creation to their end, and the deployments between."""

import simulated
from checker import pages

# One more than a page of ListServices holds.
MORE_THAN_A_PAGE = 11


def find(ecs, check):
    """The first cluster with services behind target groups, and these services."""
    for cluster in pages(check, ecs, "list_clusters", "clusterArns"):
        arns = pages(check, ecs, "list_services", "serviceArns", cluster=cluster)
        services = ecs.describe_services(cluster=cluster, services=arns[:10])["services"] if arns else []
        balanced = [s for s in services if any("targetGroupArn" in binding for binding in s["loadBalancers"])]
        if balanced:
            return cluster, balanced
    return None, []


def walk_rollout(ecs, check, cluster, service, task_definition):
    """Deploys the revision; gives the ARN of the service deployment."""
    updated = ecs.update_service(
        cluster=cluster, service=service["serviceName"], taskDefinition=task_definition, forceNewDeployment=True
    )["service"]
    primary = next(d for d in updated["deployments"] if d["status"] == "PRIMARY")
    if primary["taskDefinition"] != task_definition:
        check.violate("UpdateService", ".service.deployments[]", "the PRIMARY one is not the one that was asked for")
    described = ecs.describe_services(
        cluster=cluster, services=[service["serviceName"], "no-such-service"], include=["TAGS"])
    if [failure["reason"] for failure in described["failures"]] != ["MISSING"]:
        check.violate("DescribeServices", ".failures", f"are {described['failures']}")
    briefs = ecs.list_service_deployments(cluster=cluster, service=service["serviceName"])["serviceDeployments"]
    arns = [brief["serviceDeploymentArn"] for brief in briefs]
    ecs.describe_service_deployments(serviceDeploymentArns=arns)
    ecs.describe_service_revisions(serviceRevisionArns=[brief["targetServiceRevisionArn"] for brief in briefs])
    check.refuses(ecs.continue_service_deployment, "InvalidParameterException",
                  serviceDeploymentArn=arns[0], hookId="ecs-pause-none")
    return arns[0]


def walk_clusters(ecs, check, service):
    """A cluster and services of its own, which are gone in the end."""
    made = ecs.create_cluster(
        clusterName="walk",
        tags=[{"key": "walk", "value": "1"}],
        settings=[{"name": "containerInsights", "value": "enabled"}],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
    )["cluster"]
    if made["tags"] != [{"key": "walk", "value": "1"}] or made["capacityProviders"] != ["FARGATE", "FARGATE_SPOT"]:
        check.violate("CreateCluster", ".cluster", f"is {made}")
    ecs.describe_clusters(
        clusters=["walk", "no-such-cluster"], include=["TAGS", "SETTINGS", "STATISTICS", "CONFIGURATIONS", "ATTACHMENTS"])
    network = {"networkConfiguration": service["networkConfiguration"]} if "networkConfiguration" in service else {}
    for number in range(MORE_THAN_A_PAGE):
        ecs.create_service(
            cluster="walk", serviceName=f"service-{number}", taskDefinition=service["taskDefinition"], desiredCount=0,
            placementStrategy=[{"type": "spread", "field": "attribute:ecs.availability-zone"}],
            placementConstraints=[{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}],
            enableECSManagedTags=True, propagateTags="SERVICE", enableExecuteCommand=True,
            availabilityZoneRebalancing="ENABLED",
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True},
                                     "maximumPercent": 150, "minimumHealthyPercent": 50},
            tags=[{"key": "walk", "value": "1"}], launchType=service["launchType"], **network,
        )
    listed = list(ecs.get_paginator("list_services").paginate(cluster="walk"))
    lengths = [len(page["serviceArns"]) for page in listed]
    if lengths != [10, 1]:
        check.violate("ListServices", "", f"comes in pages of {lengths}")
    check.refuses(ecs.create_service, "InvalidParameterException", "Creation of service was not idempotent.",
                  cluster="walk", serviceName="service-0", taskDefinition=service["taskDefinition"], desiredCount=5)
    check.refuses(ecs.delete_cluster, "ClusterContainsServicesException",
                  "The Cluster cannot be deleted while Services are active.", cluster="walk")
    for number in range(MORE_THAN_A_PAGE):
        ecs.delete_service(cluster="walk", service=f"service-{number}")
    check.refuses(ecs.update_service, "ServiceNotActiveException", "Service was not ACTIVE.",
                  cluster="walk", service="service-0")
    waiter = ecs.get_waiter("services_inactive")
    with simulated.waiting(ecs, "DescribeServices", 1) as patience:
        for number in range(MORE_THAN_A_PAGE):
            # It ends with the first INACTIVE one, so each is waited for alone.
            waiter.wait(cluster="walk", services=[f"service-{number}"], WaiterConfig=patience)
    gone = ecs.delete_cluster(cluster="walk")["cluster"]
    if gone["status"] != "INACTIVE":
        check.violate("DeleteCluster", ".cluster", f"is {gone['status']}")


def walk_fargate(ecs, check, cluster, service):
    """A service with a capacity provider strategy and a network, beside the one that the scenario has."""
    network = service.get("networkConfiguration")
    if not network:
        return
    created = ecs.create_service(
        cluster=cluster, serviceName="walk-fargate", taskDefinition=service["taskDefinition"], desiredCount=1,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 0}], platformVersion="LATEST",
        networkConfiguration=network, serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:::service/srv-1"}],
        loadBalancers=service["loadBalancers"], healthCheckGracePeriodSeconds=5,
    )["service"]
    if "launchType" in created or created["deployments"][0].get("platformVersion") != "1.4.0":
        check.violate("CreateService", ".service", f"is {created}")
    check.refuses(ecs.update_service, "InvalidParameterException", cluster=cluster, service="walk-fargate",
                  capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}])
    with simulated.waiting(ecs, "DescribeServices", 1) as patience:
        ecs.get_waiter("services_stable").wait(cluster=cluster, services=["walk-fargate"], WaiterConfig=patience)
    revision = ecs.list_service_deployments(cluster=cluster, service="walk-fargate")["serviceDeployments"][0]
    ecs.describe_service_revisions(serviceRevisionArns=[revision["targetServiceRevisionArn"]])
    tasks = ecs.list_tasks(cluster=cluster, serviceName="walk-fargate")["taskArns"]
    provider = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"][0].get("capacityProviderName")
    if provider != "FARGATE":
        check.violate("DescribeTasks", ".tasks[]", f"was started by {provider}")
    ecs.delete_service(cluster=cluster, service="walk-fargate", force=True)


def walk_errors(ecs, check, cluster):
    check.refuses(ecs.describe_services, "ClusterNotFoundException", "Cluster not found.",
                  cluster="no-such-cluster", services=["web"])
    check.refuses(ecs.update_service, "ServiceNotFoundException", "Service not found.",
                  cluster=cluster, service="no-such-service")
    check.refuses(ecs.delete_service, "ServiceNotFoundException", "Service not found.",
                  cluster=cluster, service="no-such-service")
    check.refuses(ecs.list_service_deployments, "ServiceNotFoundException", "Service not found.",
                  cluster=cluster, service="no-such-service")
    check.refuses(ecs.describe_services, "InvalidParameterException", "service names can have at most 10 items.",
                  cluster=cluster, services=[f"service-{n}" for n in range(11)])
