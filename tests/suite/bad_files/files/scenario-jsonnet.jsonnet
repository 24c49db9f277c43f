local n = 2;
{ cluster: 'shop', services: [{ name: 'web', desired_count: n }] }
