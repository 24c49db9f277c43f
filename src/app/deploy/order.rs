//! Which service of a run waits for which: `depends_on`, as far as the run has the services that it names.

use std::time::Duration;

use portzero_core::plan::DeployRequest;

/// For each wish the places of those that it waits for. A service that is no part of this run is not waited for. Where
/// two clusters have services of one name, the one in the wish's own cluster is meant, and without such a one all.
pub fn needs<'a>(requests: impl Iterator<Item = &'a DeployRequest>) -> Vec<Vec<usize>> {
    let requests: Vec<&DeployRequest> = requests.collect();
    requests.iter().map(|request| needs_of(request, &requests)).collect()
}

fn needs_of(request: &DeployRequest, all: &[&DeployRequest]) -> Vec<usize> {
    let mut needs = Vec::new();
    for name in &request.depends_on {
        let named = || all.iter().enumerate().filter(|(_, other)| other.service == *name);
        let neighbours: Vec<usize> = named()
            .filter(|(_, other)| other.cluster == request.cluster)
            .map(|(index, _)| index)
            .collect();
        if neighbours.is_empty() {
            needs.extend(named().map(|(index, _)| index));
        } else {
            needs.extend(neighbours);
        }
    }
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// For each service the sum of `own` over the longest chain of services before it: how long until its turn comes, say.
/// A circle, which the configuration refuses, counts once.
pub fn ahead(needs: &[Vec<usize>], own: &[Duration]) -> Vec<Duration> {
    let mut ahead = vec![Duration::ZERO; needs.len()];
    // A chain is no longer than there are services.
    for _ in needs {
        for (index, before) in needs.iter().enumerate() {
            let longest = before.iter().map(|&b| ahead[b] + own[b]).max();
            ahead[index] = longest.unwrap_or_default();
        }
    }
    ahead
}
