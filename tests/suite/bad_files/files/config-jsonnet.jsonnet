local cluster = 'shop';
{ version: 1, services: [{ name: 'web', cluster: cluster }] }
